/** generalise: a coarser value that is still true. @module */
import type { Clock } from '../../base/clock.ts'
import { parseResidentId, toAscii } from '../guard/validators.ts'
import { ageAt, parseDate, todayInChina } from './calendar.ts'
import { floorDecimal, floorDivide, formatDecimal, parseDecimal, roundDecimal } from './decimal.ts'
import { KEEP, toRefusal, toText } from './change.ts'
import { provinceOfMobile, provinceOfRegion } from './regions.ts'
import { normalise } from '../token/normalise.ts'
import { type Complain, type Parameters, readParameters } from './parameters.ts'
import type { Change, Scalar, TransformType } from './transform.ts'

/** The coarser text of a value; undefined when the value has another form. */
type Coarsen = (source: string) => string | undefined

const AGES = [18, 25, 35, 45, 60]
const NUMBER_MAX = 1_000_000_000_000
const WAYS = ['age-band', 'sex', 'region', 'year', 'quarter', 'month', 'bucket', 'bands', 'round', 'coordinate'] as const // prettier-ignore
type Way = (typeof WAYS)[number]
/** Which further parameters a way has. */
const PARAMETERS: Readonly<Partial<Record<Way, string>>> = {
  'age-band': 'bands',
  bucket: 'size',
  bands: 'bands',
  round: 'digits',
  coordinate: 'decimals',
}
/** A rounded number stays a JSON number when it came as one. */
const NUMERIC: readonly Way[] = ['round', 'coordinate']

/**
 * `{ generalise: age-band }`, `sex`, `region` (province) from a resident id, the first also from a birth
 * date, the last also from a mobile number; `year`, `quarter`, `month` of a date; `{ by: bucket, size: 5000 }`, `{ by: bands, bands: [1000,
 * 5000] }`, `{ by: round, digits: -3 }` of a number; `{ by: coordinate, decimals: 2 }` of degrees.
 */
export function createGeneralise(clock: Clock): TransformType {
  return (action, _binding, complain) => {
    const names = ['bands', 'size', 'digits', 'decimals']
    const parameters = readParameters(action, complain, 'by', names)
    const way = parameters.choice('by', WAYS)
    for (const name of names.filter((other) => other !== PARAMETERS[way])) {
      if (parameters.has(name)) complain(`\`${way}\` has no \`${name}\``, `remove \`${name}\``)
    }
    const coarsen = readWay(way, parameters, complain, clock)
    const unsuitable = toRefusal(`expected a value that has \`${way}\``)
    return (value: Scalar): Change => {
      if (value.type === 'null') return KEEP
      const text = coarsen(toAscii(value.reveal()))
      if (text === undefined) return unsuitable
      const isNumber = value.type === 'number' && NUMERIC.includes(way)
      return isNumber ? { change: 'json', json: text } : toText(text)
    }
  }
}

function readWay(way: Way, parameters: Parameters, complain: Complain, clock: Clock): Coarsen {
  const readId = (source: string) => parseResidentId(source, new Date(todayInChina(clock)))
  switch (way) {
    case 'age-band': {
      const bands = parameters.has('bands') ? readBands(parameters, complain) : AGES
      return (source) => {
        const birthDate = readId(source)?.birthDate ?? isoDate(source)
        const age = birthDate === undefined ? -1 : ageAt(birthDate, todayInChina(clock))
        return age < 0 ? undefined : bandOf(BigInt(age), bands)
      }
    }
    case 'sex':
      return (source) => readId(source)?.sex
    case 'region':
      return (source) =>
        provinceOfRegion(readId(source)?.region ?? '') ??
        provinceOfMobile(normalise('mobile', source))
    case 'year':
      return (source) => isoDate(source)?.slice(0, 4)
    case 'month':
      return (source) => isoDate(source)?.slice(0, 7)
    case 'quarter':
      return (source) => {
        const date = parseDate(source)
        return date && `${isoDate(source)?.slice(0, 4)}-Q${Math.ceil(date.month / 3)}`
      }
    case 'bucket': {
      const size = BigInt(parameters.integer('size', [1, NUMBER_MAX]))
      return onDecimal((decimal) => {
        const low = floorDivide(floorDecimal(decimal), size) * size
        return `${low}..${low + size}`
      })
    }
    case 'bands': {
      const bands = readBands(parameters, complain)
      return onDecimal((decimal) => bandOf(floorDecimal(decimal), bands))
    }
    case 'round': {
      const digits = parameters.integer('digits', [-12, 12])
      return onDecimal((decimal) => formatDecimal(roundDecimal(decimal, digits)))
    }
    case 'coordinate': {
      // Two decimals are about a kilometre; more would find a house.
      const digits = parameters.integer('decimals', [0, 2], 2)
      return onDecimal((decimal) => formatDecimal(roundDecimal(decimal, digits)))
    }
  }
}

function onDecimal(coarsen: (decimal: { units: bigint; scale: number }) => string): Coarsen {
  return (source) => {
    const decimal = parseDecimal(source)
    return decimal && coarsen(decimal)
  }
}

function readBands(parameters: Parameters, complain: Complain): readonly number[] {
  const bands = parameters.integers('bands', [0, NUMBER_MAX])
  const ascending = bands.every((low, index) => index === 0 || low > (bands[index - 1] ?? 0))
  if (!ascending) complain('`bands` does not ascend', 'type for example `bands: [18, 25, 35]`')
  return bands
}

/** `<18`, `18-24`, `60+` for whole numbers: a band names the lowest and highest it holds. */
function bandOf(number: bigint, bands: readonly number[]): string {
  const index = bands.findLastIndex((low) => number >= BigInt(low))
  const [low, next] = [bands[index], bands[index + 1]]
  if (low === undefined) return `<${next}`
  return next === undefined ? `${low}+` : `${low}-${next - 1}`
}

function isoDate(source: string): string | undefined {
  const date = parseDate(source)
  if (date === undefined) return undefined
  const pad = (part: number) => String(part).padStart(2, '0')
  return `${String(date.year).padStart(4, '0')}-${pad(date.month)}-${pad(date.day)}`
}
