// Examples to start from: files of the tests, fetched when asked for.

import ordersUrl from '../../tests/examples/orders/orders_ETL.json?url';
import salesUrl from '../../tests/examples/sales/sales/orders/ingest_date=2025-01-06/sales_orders.csv?url';
import salesSpecUrl from '../../tests/examples/sales/transform.toml?url';

export interface Example {
  title: string;
  teaches: string;
  name: string;
  url: string;
  specUrl?: string;
}

export const EXAMPLES: Example[] = [
  {
    title: 'Orders (JSON)',
    teaches: 'Nested orders become one row for each product; the spec is proposed.',
    name: 'orders_ETL.json',
    url: ordersUrl,
  },
  {
    title: 'Sales (CSV with a spec)',
    teaches: 'Types are declared, an amount is derived, each day has its partition; two lines are rejected.',
    name: 'sales_orders.csv',
    url: salesUrl,
    specUrl: salesSpecUrl,
  },
];

/** Fetches an example's file and spec. */
export async function fetchExample({ url, specUrl }: Example): Promise<{ file: Blob; spec: string }> {
  const get = async (from: string): Promise<Response> => {
    const response = await fetch(from);
    if (!response.ok) throw new Error(`the example could not be fetched (HTTP ${response.status})`);
    return response;
  };
  const [file, spec] = await Promise.all([get(url), specUrl ? get(specUrl) : null]);
  return { file: await file.blob(), spec: spec ? await spec.text() : '' };
}
