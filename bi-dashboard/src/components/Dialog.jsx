// @ts-check
import { CloseButton, Modal } from '@mantine/core'
import classes from './Page.module.css'

/** A dialog with a heading, as long as it is drawn. Esc closes it. @param {{ title: string, onClose: () => void, children: import('react').ReactNode }} props */
export function Dialog({ title, onClose, children }) {
  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      centered
      radius="md"
      padding="lg"
      attributes={{ content: { 'aria-label': title } }}
    >
      <div className={classes.panelHead}>
        <h2 className={classes.panelTitle}>{title}</h2>
        <CloseButton aria-label="Close" onClick={onClose} />
      </div>
      {children}
    </Modal>
  )
}
