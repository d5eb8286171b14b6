// @ts-check
import classes from './KpiTiles.module.css'

const [WIDTH, HEIGHT] = [120, 32]

/** @param {number[]} values */
function points(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const range = high - low || 1
  return values.map((value, index) => [
    (index / Math.max(1, values.length - 1)) * WIDTH,
    HEIGHT - 3 - ((value - low) / range) * (HEIGHT - 6),
  ])
}

/** The shape of the last months; the numbers stand in the table below it. @param {{ values: (number | null | undefined)[] }} props */
export function Sparkline({ values }) {
  const known = values.filter((value) => typeof value === 'number')
  if (known.length < 2) return <div className={classes.spark} />
  const line = points(known).map(([x, y]) => `${Number(x).toFixed(1)},${Number(y).toFixed(1)}`)
  return (
    <svg
      className={classes.spark}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polygon
        points={`0,${HEIGHT} ${line.join(' ')} ${WIDTH},${HEIGHT}`}
        fill="currentColor"
        opacity="0.12"
      />
      <polyline
        points={line.join(' ')}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.75"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}
