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

variable "repositories" {
  description = "The repositories that may plan and apply, and where in them: see the module github-oidc-roles."
  type = list(object({
    name           = string
    owner_id       = optional(number)
    id             = optional(number)
    default_branch = optional(string, "main")
    plan           = optional(list(string))
    apply          = optional(list(string))
    drift          = optional(list(string))
  }))
  nullable = false
}

variable "claims" {
  description = "Further claims that the roles' tokens must have, such as the reusable workflow: see the module github-oidc-roles."
  type = object({
    plan          = optional(map(list(string)), {})
    plan_storage  = optional(map(list(string)), {})
    apply         = optional(map(list(string)), {})
    apply_storage = optional(map(list(string)), {})
    drift_storage = optional(map(list(string)), {})
  })
  default  = {}
  nullable = false
}

variable "stacks" {
  description = "The stacks whose Terraform states the roles may read and lock, and the applier write. A state of a stack lies below `STACK/` in the bucket, as the printed `backend-config` has it."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.stacks) > 0 && alltrue([for s in var.stacks : can(regex("^[A-Za-z0-9._-]+$", s))])
    error_message = "stacks lists at least one stack by its name, such as [\"acme-ue2-dev\"], without wildcards or slashes: each is a prefix of the states that the roles may use."
  }
}

variable "plan_policy_arns" {
  description = "Policies of the role that Terraform plans with, by any name, besides that on states. Nothing that writes, and nothing that reads secrets."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "apply_policy_arns" {
  description = "Policies of the role that Terraform applies with, by any name, besides that on states."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "oidc_provider_arn" {
  description = "ARN of the account's identity provider for GitHub, where there is one already."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}
