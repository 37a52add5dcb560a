/** Which leg a message takes: short ones the direct leg, long ones http-proxy-middleware. @module */
import type { Clock } from '../../base/clock.ts'
import { Problem } from '../../base/problem.ts'
import type { Exchange, Inbound } from '../exchange.ts'
import { createDirectLeg } from './direct-leg.ts'
import { type Leg, createLeg } from './leg.ts'
import type { RelayLimits } from './limits.ts'

/** Opens both. */
export function createLegs(clock: Clock, limits: RelayLimits): Leg {
  const direct = createDirectLeg(clock, limits)
  const general = createLeg(clock, limits)
  return {
    send: (base, outbound, onSent, long) => {
      const isLong = outbound.feed !== undefined || outbound.body.length > limits.DIRECT_BYTES_MAX
      return (isLong ? general : direct).send(base, outbound, onSent, long)
    },
    close: () => {
      direct.close()
      general.close()
    },
  }
}

/** Sends what an exchange has ready for its recipient, and notes when it left. */
export async function dispatch(
  { leg, clock }: { readonly leg: Leg; readonly clock: Clock },
  exchange: Exchange,
): Promise<Inbound> {
  const { recipient, outbound } = exchange
  if (!recipient?.base || !outbound) throw new Problem('internal', '')
  const onSent = () => {
    exchange.sentUs ??= clock.wallUs()
  }
  return await leg.send(recipient.base, outbound, onSent, true)
}
