module.exports = {
  apps: [
    {
      name: 'shop',
      script: './service.mjs',
      exec_mode: 'cluster',
      instances: 2,
      wait_ready: true, // until the service says that it is
      listen_timeout: 10_000,
      kill_timeout: 12_000, // more than twice MICROMEGAS_TELEMETRY_SHUTDOWN_TIMEOUT_SECS, then SIGKILL
    },
  ],
}
