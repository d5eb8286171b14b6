// @ts-check
import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconMoon, IconSun } from '@tabler/icons-react'

/** Follows the system until it is used. */
export function ThemeToggle() {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const other = scheme === 'dark' ? 'light' : 'dark'
  const Icon = other === 'dark' ? IconMoon : IconSun
  return (
    <ActionIcon
      variant="default"
      size={32}
      radius="md"
      onClick={() => setColorScheme(other)}
      aria-label={`Use the ${other} theme`}
    >
      <Icon aria-hidden="true" size={17} stroke={1.7} />
    </ActionIcon>
  )
}
