variable "name" {
  description = "Beginning of each resource's name."
  type        = string
  nullable    = false
}

variable "repository" {
  description = "The repository that may plan and apply."
  type = object({
    name           = string
    owner_id       = optional(number)
    id             = optional(number)
    default_branch = optional(string, "main")
  })
  nullable = false
}

variable "settings" {
  description = "The account, as in the root module's `accounts`."
  type = object({
    environment       = string
    stacks            = list(string)
    readable_stacks   = list(string)
    plan_policy_arns  = map(string)
    apply_policy_arns = map(string)
  })
  nullable = false
}

variable "readers" {
  description = "ARNs of the other account's roles, which may read the states of `readable_stacks`."
  type        = list(string)
  nullable    = false
}

variable "other_states" {
  description = "The states of the other account that this one's roles may read: its output `readable_states`."
  type = object({
    objects     = list(string)
    kms_key_arn = string
  })
  nullable = false
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  nullable    = false
}
