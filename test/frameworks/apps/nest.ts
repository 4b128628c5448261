import 'reflect-metadata'
import { Controller, Get, Module, Param } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
// @ts-expect-error: plain JavaScript, for all services
import { findUser, listening, pay } from './work.mjs'

@Controller()
class ShopController {
  @Get('users/:id')
  user(@Param('id') id: string): Promise<unknown> {
    return findUser(id)
  }

  @Get('pay')
  pay(): void {
    pay()
  }
}

@Module({ controllers: [ShopController] })
class ShopModule {}

const adapter = process.env.NEST_ADAPTER === 'fastify' ? new FastifyAdapter() : undefined
const options = { logger: false as const }
const app = await (adapter === undefined
  ? NestFactory.create(ShopModule, options)
  : NestFactory.create(ShopModule, adapter, options))
await app.listen(0, '127.0.0.1')
listening(app.getHttpServer())
