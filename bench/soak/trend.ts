/** Whether memory grows: the slope of a straight line through samples, by least squares. */

export interface Point {
  readonly seconds: number;
  readonly value: number;
}

/** The part behind the first third, which is for warming up. */
export function lastTwoThirds(points: readonly Point[]): Point[] {
  const end = points.at(-1)?.seconds ?? 0;
  return points.filter(({ seconds }) => seconds >= end / 3);
}

/** In units of the value an hour; undefined with fewer than two points in time. */
export function slopePerHour(points: readonly Point[]): number | undefined {
  const count = points.length;
  const meanSeconds = points.reduce((sum, { seconds }) => sum + seconds, 0) / count;
  const meanValue = points.reduce((sum, { value }) => sum + value, 0) / count;
  let covariance = 0;
  let variance = 0;
  for (const { seconds, value } of points) {
    covariance += (seconds - meanSeconds) * (value - meanValue);
    variance += (seconds - meanSeconds) ** 2;
  }
  return variance > 0 ? (3600 * covariance) / variance : undefined;
}
