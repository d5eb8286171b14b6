// @ts-check
export default function StatesPage() {
  return null
}
