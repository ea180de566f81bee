import { EC2_VERSIONS, type Ec2Version } from '../documents/ec2/versions.ts'

/** What Nova skips unless told otherwise: everything before 2009-04-04. */
export const SKIPPED_VERSIONS: readonly Ec2Version[] = EC2_VERSIONS.filter((version) => version < '2009-04-04')
