// @ts-check
import { useEffect } from 'react'
import classes from './Page.module.css'

/** The head of a page; it also names the browser tab. @param {{ title: string, mark?: import('react').ReactNode, summary?: import('react').ReactNode, actions?: import('react').ReactNode }} props */
export function PageHeader({ title, mark, summary, actions }) {
  useEffect(() => {
    document.title = `${title} · PetInsure360`
  }, [title])
  return (
    <header className={classes.header}>
      <div className={classes.titles}>
        <h1 className={classes.title}>
          {title} {mark}
        </h1>
        {summary && <p className={classes.summary}>{summary}</p>}
      </div>
      {actions && <div className={classes.actions}>{actions}</div>}
    </header>
  )
}

/** A framed part of a page with a heading of its own. @param {{ title?: import('react').ReactNode, aside?: import('react').ReactNode, children: import('react').ReactNode, label?: string, tone?: string }} props */
export function Panel({ title, aside, children, label, tone }) {
  return (
    <section
      className={classes.panel}
      aria-label={label ?? (typeof title === 'string' ? title : undefined)}
      data-tone={tone}
    >
      {(title || aside) && (
        <div className={classes.panelHead}>
          {title && <h2 className={classes.panelTitle}>{title}</h2>}
          {aside && <div className={classes.aside}>{aside}</div>}
        </div>
      )}
      {children}
    </section>
  )
}

/** A number with its name. @param {{ name: string, children: import('react').ReactNode, title?: string }} props */
export function Figure({ name, children, title }) {
  return (
    <div className={classes.figure} title={title}>
      <dt>{name}</dt>
      <dd className="tabular">{children}</dd>
    </div>
  )
}

/** @param {{ children: import('react').ReactNode }} props */
export const Figures = ({ children }) => <dl className={classes.figures}>{children}</dl>
