// Runs inside the page: what tests measure there.

/** Colours painted one over the other, as red, green and blue from 0 to 255. */
function painted(colours) {
  const canvas = document.createElement('canvas')
  canvas.width = 1
  canvas.height = 1
  const context = canvas.getContext('2d', { willReadFrequently: true })
  for (const colour of colours) {
    context.fillStyle = colour
    context.fillRect(0, 0, 1, 1)
  }
  return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)]
}

/** Relative luminance (WCAG 2.2). */
function luminance(colour) {
  const [red, green, blue] = colour.map((value) => {
    const part = value / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function backgroundsOf(element) {
  const own = getComputedStyle(element).backgroundColor
  return element.parentElement ? [...backgroundsOf(element.parentElement), own] : ['Canvas', own]
}

function contrastOf(element) {
  const backgrounds = backgroundsOf(element)
  const shades = [
    luminance(painted(backgrounds)),
    luminance(painted([...backgrounds, getComputedStyle(element).color])),
  ]
  return (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05)
}

function textElements() {
  return [...document.querySelectorAll('body *')].filter(
    (element) =>
      element.checkVisibility() &&
      [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()),
  )
}

window.measures = {
  /** How far the page can be scrolled sideways, in CSS pixels. */
  sidewaysScroll: () => document.documentElement.scrollWidth - document.documentElement.clientWidth,

  /** Texts with less contrast than 4.5 (WCAG 2.2, 1.4.3) or smaller than 11 pixels. */
  unreadable: () =>
    textElements()
      .map((element) => ({
        text: element.textContent.trim().slice(0, 40),
        contrast: Number(contrastOf(element).toFixed(2)),
        pixels: Number.parseFloat(getComputedStyle(element).fontSize),
      }))
      .filter(({ contrast, pixels }) => contrast < 4.5 || pixels < 11),

  background: () => getComputedStyle(document.body).backgroundColor,
}
