// What the page uses of lit-html 3.3.3; its own declarations need those of other packages.
export interface TemplateResult {
  readonly strings: TemplateStringsArray;
  readonly values: unknown[];
}
export declare const html: (strings: TemplateStringsArray, ...values: unknown[]) => TemplateResult;
export declare const nothing: unique symbol;
export declare const render: (value: unknown, container: HTMLElement) => unknown;
