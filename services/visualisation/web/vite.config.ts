import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

/** Where the services answer while developing; the mock by default, the real stack with DMI_WEB_TARGET. */
const target = process.env['DMI_WEB_TARGET'] ?? 'http://127.0.0.1:8099';
const services = ['exchange', 'ingest', 'platform', 'visualisation', 'support-centre'];

export default defineConfig({
  plugins: [react()],
  base: '/',
  build: {
    outDir: '../dmi_visualisation/static',
    emptyOutDir: true,
    target: 'es2022',
    // MapLibre alone is larger than the default limit; it is loaded only by pages with a map.
    chunkSizeWarningLimit: 1300,
    // How long each plug-in takes is no news to who builds on a busy machine.
    rolldownOptions: { checks: { bundlerTimings: false } },
  },
  worker: { format: 'es' },
  server: {
    port: 5173,
    proxy: Object.fromEntries(services.map((name) => [`/${name}/`, { target, changeOrigin: true }])),
  },
  test: { environment: 'happy-dom', include: ['tests/**/*.test.{ts,tsx}'] },
});
