import { Controller, Get, Param } from '@nestjs/common'

/** Plain JavaScript, for all services. */
const work: Promise<{ findUser(id: string): Promise<unknown>; pay(): void }> = import('../work.mjs' as string)

@Controller()
export class AppController {
  @Get('users/:id')
  async user(@Param('id') id: string): Promise<unknown> {
    return (await work).findUser(id)
  }

  @Get('pay')
  async pay(): Promise<void> {
    ;(await work).pay()
  }
}
