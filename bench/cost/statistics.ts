/**
 * What pairs of runs say of a cost: each pair gives the logarithm of how many times as long the second run took as the first, and the mean
 * of these has a confidence interval by Student's t, because pairs are few and what disturbs them multiplies.
 */
import { median } from '../support/numbers.ts';

/** All ratios: 1.02 is two per cent longer. */
export interface CostEstimate {
  readonly pairs: number;
  readonly medianRatio: number;
  /** e to the mean of the logarithms. */
  readonly meanRatio: number;
  /** 95 % confidence interval of `meanRatio`; from 0 to infinity when there is one pair only. */
  readonly low: number;
  readonly high: number;
}

/** 97.5 % quantiles of Student's t for 1, 2, 3 ... degrees of freedom. */
const T_QUANTILES = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
] as const;

/** Undefined without a pair. */
export function estimateCost(logRatios: readonly number[]): CostEstimate | undefined {
  const pairs = logRatios.length;
  if (pairs === 0) return undefined;
  const mean = logRatios.reduce((sum, each) => sum + each, 0) / pairs;
  const variance = logRatios.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (pairs - 1);
  // Beyond the table the last one is wider than need be by less than 5 %.
  const quantile = T_QUANTILES[Math.min(pairs - 1, T_QUANTILES.length) - 1];
  const half = pairs === 1 ? Number.POSITIVE_INFINITY : quantile * Math.sqrt(variance / pairs);
  return {
    pairs,
    medianRatio: Math.exp(median(logRatios)),
    meanRatio: Math.exp(mean),
    low: Math.exp(mean - half),
    high: Math.exp(mean + half),
  };
}

/** "+1.8 %": what a ratio costs. */
export function asCost(ratio: number): string {
  if (!Number.isFinite(ratio)) return '∞';
  const percent = 100 * (ratio - 1);
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(1)} %`;
}
