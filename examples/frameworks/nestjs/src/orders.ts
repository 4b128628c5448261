import { Controller, Get, Inject, Injectable, Logger, Module, Param } from '@nestjs/common'
import { spanFn as Span } from 'micromegas'

@Injectable()
export class OrdersService {
  readonly #log = new Logger(OrdersService.name)

  @Span({ target: 'shop' })
  async find(id: string): Promise<{ id: string }> {
    this.#log.log(`found order ${id}`)
    return { id }
  }
}

@Controller('orders')
export class OrdersController {
  constructor(@Inject(OrdersService) private readonly orders: OrdersService) {}

  @Get('pay')
  pay(): void {
    throw new RangeError('no card')
  }

  @Get(':id')
  find(@Param('id') id: string): Promise<{ id: string }> {
    return this.orders.find(id)
  }
}

@Module({ controllers: [OrdersController], providers: [OrdersService] })
export class OrdersModule {}
