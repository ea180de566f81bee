import type { ProjectId, SecurityGroupId } from './ids.ts'

/** Guests read its name (EC2 `security-groups`); firstboot does not filter traffic by it. */
export interface SecurityGroup {
  readonly id: SecurityGroupId
  readonly projectId: ProjectId
  readonly name: string
  readonly description: string
}
