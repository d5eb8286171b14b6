// @ts-check
import { useRef, useState } from 'react'
import { Button, Group, Popover } from '@mantine/core'

/**
 * A button for what cannot be taken back: the second click decides.
 * @param {{ children: import('react').ReactNode, question: string, yes: string, onConfirm: () => void, disabled?: boolean,
 *   leftSection?: import('react').ReactNode }} props
 */
export function ConfirmButton({ children, question, yes, onConfirm, disabled, leftSection }) {
  const [opened, setOpened] = useState(false)
  const target = useRef(/** @type {HTMLButtonElement | null} */ (null))
  const close = () => {
    setOpened(false)
    target.current?.focus()
  }
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-end"
      withArrow
      trapFocus
      returnFocus
      shadow="md"
      width={280}
    >
      <Popover.Target>
        <Button
          ref={target}
          variant="default"
          disabled={disabled}
          leftSection={leftSection}
          onClick={() => setOpened((open) => !open)}
        >
          {children}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={question}>
        <p style={{ margin: '0 0 12px' }}>{question}</p>
        <Group gap={8} justify="flex-end">
          <Button variant="default" onClick={close}>
            Keep
          </Button>
          <Button
            color="red"
            onClick={() => {
              onConfirm()
              close()
            }}
          >
            {yes}
          </Button>
        </Group>
      </Popover.Dropdown>
    </Popover>
  )
}
