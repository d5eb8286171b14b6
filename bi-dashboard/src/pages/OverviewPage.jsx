// @ts-check
export default function OverviewPage() {
  return null
}
