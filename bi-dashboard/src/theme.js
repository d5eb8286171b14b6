// @ts-check
import { createTheme } from '@mantine/core'

/** @type {import('@mantine/core').MantineColorsTuple} */
const brand = [
  '#eef3fd',
  '#dbe6fb',
  '#b8cdf7',
  '#92b2f2',
  '#6d98ec',
  '#4d80e3',
  '#3469d4',
  '#2559c6',
  '#1d4fb8',
  '#173f94',
]
/** @type {import('@mantine/core').MantineColorsTuple} */
const dark = [
  '#d5dae1',
  '#b3bcc7',
  '#a3adb8',
  '#66707d',
  '#3a434f',
  '#2b323c',
  '#1e232b',
  '#171b21',
  '#12151a',
  '#0e1115',
]

export const theme = createTheme({
  primaryColor: 'brand',
  primaryShade: { light: 8, dark: 8 },
  colors: { brand, dark },
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: 'var(--mono)',
  defaultRadius: 8,
  cursorType: 'pointer',
  fontSizes: { xs: '12px', sm: '13.5px', md: '15px', lg: '17px', xl: '20px' },
  respectReducedMotion: true,
})

/** The stock theme fails WCAG AA on dimmed and light-variant text; these values do not. @type {import('@mantine/core').CSSVariablesResolver} */
export const variables = (current) => {
  const lightText = (/** @type {number} */ shade) =>
    Object.fromEntries(
      Object.keys(current.colors).map((name) => [
        `--mantine-color-${name}-light-color`,
        `var(--mantine-color-${name}-${shade})`,
      ]),
    )
  return {
    variables: {},
    light: {
      '--mantine-color-dimmed': '#566070',
      '--mantine-color-placeholder': '#626c7a',
      '--mantine-color-error': '#a81d24',
      ...lightText(9),
    },
    dark: {
      '--mantine-color-dimmed': '#a3adb8',
      '--mantine-color-placeholder': '#97a2ae',
      '--mantine-color-error': '#ff9c99',
      ...lightText(3),
    },
  }
}
