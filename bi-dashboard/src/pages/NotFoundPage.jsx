// @ts-check
export default function NotFoundPage() {
  return null
}
