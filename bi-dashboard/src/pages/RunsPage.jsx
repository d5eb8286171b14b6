// @ts-check
export default function RunsPage() {
  return null
}
