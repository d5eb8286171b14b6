// @ts-check
export default function RunPage() {
  return null
}
