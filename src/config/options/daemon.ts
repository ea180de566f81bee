import { oneOf, text } from '../option.ts'

export const logOptions = {
  log_level: oneOf(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'info',
    'How much is logged, as JSON lines on standard error.',
  ),
}

export const observeOptions = {
  metrics_listen: text(
    'ADDRESS:PORT',
    '',
    'Serve /metrics (of all processes of the state directory), /healthz and /readyz there. Default: only each process’s own, on a unix socket in run/pages.',
  ),
}
