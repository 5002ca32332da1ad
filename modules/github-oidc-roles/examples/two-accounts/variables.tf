variable "region" {
  description = "AWS region of the buckets and the table."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Beginning of each resource's name. Bucket names are the world's: choose one that nobody else has, such as `acme-gitops`."
  type        = string
  nullable    = false
}

variable "repository" {
  description = "The repository that may plan and apply: see the module github-oidc-roles."
  type = object({
    name           = string
    owner_id       = optional(number)
    id             = optional(number)
    default_branch = optional(string, "main")
  })
  nullable = false
}

variable "accounts" {
  description = <<-EOT
    The two accounts:

    - `admin_role_arn`: the role in it with which you apply this configuration.
    - `environment`: the GitHub environment under which its stacks are applied: `environment` of the stacks in `gitops.yaml`.
    - `stacks`: the stacks whose Terraform states its roles may read and lock, and its applier write.
    - `readable_stacks`: those of its stacks whose states the roles of the other account may read, for `terraform_remote_state`. Default: none. A state holds secrets.
    - `plan_policy_arns`, `apply_policy_arns`: what Terraform may do in it, besides using states.
  EOT
  type = object({
    development = object({
      admin_role_arn    = string
      environment       = string
      stacks            = list(string)
      readable_stacks   = optional(list(string), [])
      plan_policy_arns  = optional(map(string), {})
      apply_policy_arns = optional(map(string), {})
    })
    production = object({
      admin_role_arn    = string
      environment       = string
      stacks            = list(string)
      readable_stacks   = optional(list(string), [])
      plan_policy_arns  = optional(map(string), {})
      apply_policy_arns = optional(map(string), {})
    })
  })
  nullable = false

  validation {
    condition     = alltrue([for a in var.accounts : length(a.stacks) > 0 && alltrue([for s in a.stacks : can(regex("^[A-Za-z0-9._-]+$", s))])])
    error_message = "stacks lists at least one stack of each account by its name, such as [\"prod\"], without wildcards or slashes: each is a prefix of the states that the roles may use."
  }

  validation {
    condition     = alltrue([for a in var.accounts : length(setsubtract(a.readable_stacks, a.stacks)) == 0])
    error_message = "readable_stacks lists stacks of the same account."
  }

  validation {
    condition     = var.accounts.development.environment != var.accounts.production.environment
    error_message = "Give each account an environment of its own: whoever approves development's applies must not approve production's by that."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}
