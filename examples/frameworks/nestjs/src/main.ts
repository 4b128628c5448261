import 'reflect-metadata'
import { once } from 'node:events'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { logger, micromegasMain } from 'micromegas'
import { instrumentServer } from 'micromegas/http'
import { NestLogger } from './nest-logger'
import { OrdersModule } from './orders'
import { TelemetryModule } from './telemetry.module'

@Module({ imports: [TelemetryModule, OrdersModule] })
class AppModule {}

void micromegasMain(async ({ signal }) => {
  const app = await NestFactory.create(AppModule, { logger: new NestLogger() })
  instrumentServer(app.getHttpServer())
  await app.listen(Number(process.env.PORT ?? 8000))
  logger('shop').info('ready')
  if (!signal.aborted) await once(signal, 'abort')
  await app.close() // not enableShutdownHooks(): micromegasMain takes the signals
})
