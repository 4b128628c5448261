import { type CallHandler, type ExecutionContext, Module, type NestInterceptor } from '@nestjs/common'
import { APP_INTERCEPTOR } from '@nestjs/core'
import { beginAsyncSpan, logger } from 'micromegas'
import { finalize, Observable, tap } from 'rxjs'

const log = logger('nest')

/** Records each call of a handler as a span, and what it throws. */
class TelemetryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const name = `${context.getClass().name}.${context.getHandler().name}`
    return new Observable((subscriber) => {
      const handle = beginAsyncSpan(name, { target: 'nest' })
      const failed = (error: unknown): void => {
        handle.span.fail(error)
        log.error(`${name} failed`, error as Error)
      }
      const results = next.handle().pipe(
        tap({ error: failed }),
        finalize(() => handle.end()),
      )
      return handle.run(() => results.subscribe(subscriber))
    })
  }
}

@Module({ providers: [{ provide: APP_INTERCEPTOR, useClass: TelemetryInterceptor }] })
export class TelemetryModule {}
