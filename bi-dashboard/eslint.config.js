// @ts-check
import js from '@eslint/js'
import globals from 'globals'
import jsxA11y from 'eslint-plugin-jsx-a11y'
import reactHooks from 'eslint-plugin-react-hooks'

/** @param {string[]} forbidden @param {string} message */
const never = (forbidden, message) => ({
  'no-restricted-imports': ['error', { patterns: [{ group: forbidden, message }] }],
})

/** A feature may not reach into another one: pages bring them together. */
const features = ['shell', 'commands', 'pipeline', 'insights', 'claims', 'developer']
const featureZones = features.map((feature) => ({
  files: [`src/features/${feature}/**`],
  rules: never(
    [
      '**/pages/**',
      '**/App.jsx',
      ...features.filter((other) => other !== feature).map((other) => `**/${other}/*`),
    ],
    'features know components, services and lib only; pages compose them',
  ),
}))

export default [
  { ignores: ['dist', 'node_modules', 'src/api/schema.d.ts'] },
  js.configs.recommended,
  {
    files: ['**/*.{js,jsx}'],
    languageOptions: {
      ecmaVersion: 2023,
      sourceType: 'module',
      parserOptions: { ecmaFeatures: { jsx: true } },
      globals: { ...globals.browser },
    },
    plugins: { 'jsx-a11y': jsxA11y, 'react-hooks': reactHooks },
    rules: {
      ...jsxA11y.flatConfigs.recommended.rules,
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      'no-unused-vars': 'off', // tsc says it, and it understands JSX
      'no-console': 'error',
      complexity: ['error', 15],
      'max-lines': ['error', { max: 260, skipComments: true, skipBlankLines: true }],
    },
  },
  { files: ['tests/**'], rules: { 'max-lines': 'off' } },
  ...featureZones,
  {
    files: ['src/services/**', 'src/lib/**', 'src/api/**'],
    rules: never(
      ['**/features/**', '**/pages/**', '**/components/**'],
      'services and lib know nothing of the page',
    ),
  },
  {
    files: ['src/components/**'],
    rules: never(['**/features/**', '**/pages/**'], 'components know no feature'),
  },
  { files: ['scripts/**', '*.config.js', 'tests/**'], languageOptions: { globals: { ...globals.node } } },
]
