/** What can go wrong while a guest image is built; each is one clear message to a person. */
export type ImageErrorCode =
  /** An option is missing or wrong. */
  | 'bad-options'
  /** A program that the builder needs is not installed on this host. */
  | 'tools-missing'
  /** A file that the user named cannot be read. */
  | 'file-unreadable'
  /** The output or cache directory cannot be written. */
  | 'cannot-write'
  /** No room left on the host's disk. */
  | 'host-disk-full'
  /** The guest's disk is too small for its files. */
  | 'guest-disk-too-small'
  /** The mirror cannot be reached, or holds no such suite for this architecture. */
  | 'mirror-unreachable'
  /** The mirror's Release file and its package lists do not belong together. */
  | 'mirror-out-of-step'
  /** The mirror's signature could not be verified. */
  | 'signature-refused'
  /** A package is not known to the mirror, or its dependencies cannot be met. */
  | 'package-unavailable'
  /** A package is not as expected: damaged, or of another shape. */
  | 'bad-package'
  /** A file cannot be placed in the image. */
  | 'bad-tree'
  /** Another build is using the same cache. */
  | 'cache-busy'
  /** The build was cancelled by its caller. */
  | 'cancelled'
  /** A host program failed for another reason. */
  | 'tool-failed';
