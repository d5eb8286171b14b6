// @ts-check
export default function ClaimsPage() {
  return null
}
