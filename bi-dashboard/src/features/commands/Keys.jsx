// @ts-check
import classes from './Commands.module.css'

/** "g p" as two keys. @param {{ keys: string }} props */
export const Keys = ({ keys }) => (
  <span className={classes.keys}>
    {keys.split(' ').map((key) => (
      <kbd key={key}>{key}</kbd>
    ))}
  </span>
)
