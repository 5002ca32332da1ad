variable "create" {
  description = "Whether to create anything at all."
  type        = bool
  default     = true
  nullable    = false
}

variable "name" {
  description = "Prefix of each role's name, such as `gitops`: the roles are `gitops-plan`, `gitops-plan-storage`, `gitops-apply`, `gitops-apply-storage` and `gitops-drift-storage`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9+=,.@_-]{1,50}$", var.name))
    error_message = "name has 1 to 50 of the characters that IAM allows in a role's name: letters, digits, and +=,.@_-. Write for example \"gitops\"."
  }
}

variable "tags" {
  description = "Tags of every resource."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "repositories" {
  description = <<-EOT
    The repositories whose workflows may assume the roles. They share the roles, so each can write the others' plans. If repositories must be isolated from each other, call this module once for each.

    - `name`: `OWNER/NAME`, spelled as on GitHub.
    - `owner_id`, `id`: GitHub's ids of the owner and of the repository, for tokens with the immutable subject `repo:OWNER@ID/NAME@ID:…`, which repositories created since July 2026 have. `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints both. During a change from one format to the other, list the repository twice.
    - `default_branch`: the branch that is applied.
    - `plan`: the subjects that may plan, without the repository: `pull_request`, `ref:refs/heads/BRANCH`, `ref:refs/tags/TAG` or `environment:NAME`. A ref may end in `/*`. Default: pull requests and all branches. Branches are needed for `replan`, for scheduled runs on the default branch, and for its merge queue. This gives nobody more than pull requests alone: whoever can push a branch can open a pull request.
    - `apply`: the subjects that may apply: `environment:NAME`, or the default branch (`ref:refs/heads/BRANCH`) for jobs without an environment. Default: the environment `production`. Tokens of github.com must also have the default branch in their claim `ref`.
    - `drift`: the subjects for drift plans, drift detection, and dry runs of the apply. Default: the default branch.
  EOT
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

  validation {
    condition     = length(var.repositories) > 0
    error_message = "repositories is empty: name at least one, such as [{ name = \"acme/infrastructure\" }]. Roles that trust every repository of GitHub are not made."
  }

  validation {
    condition     = alltrue([for r in var.repositories : can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$", r.name))])
    error_message = "A repository's name must be OWNER/NAME, each spelled out, such as \"acme/infrastructure\". A wildcard would trust repositories of strangers: list each repository."
  }

  validation {
    condition     = alltrue([for r in var.repositories : (r.owner_id == null) == (r.id == null)])
    error_message = "Give both owner_id and id of a repository, or neither: its tokens have both ids in their subject, or none. `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them."
  }

  validation {
    condition     = alltrue(flatten([for r in var.repositories : [for id in [r.owner_id, r.id] : try(id > 0 && floor(id) == id, true) if id != null]]))
    error_message = "owner_id and id are GitHub's numbers, such as 123456: `gh api repos/OWNER/NAME --jq '.owner.id, .id'` prints them."
  }

  validation {
    condition     = alltrue([for r in var.repositories : can(regex("^[^*?:\\s]+$", r.default_branch))])
    error_message = "default_branch is the name of one branch, such as \"main\", without refs/heads/, wildcards, colons or spaces."
  }

  validation {
    condition = alltrue(flatten([for r in var.repositories : [for s in coalesce(r.plan, []) :
      can(regex("^(pull_request|environment:[^*?:]+|ref:refs/(heads|tags)/[^*?:\\s]*[^*?:\\s/](/\\*)?|ref:refs/heads/\\*)$", s))
    ]]))
    error_message = "plan lists what may plan: \"pull_request\", \"ref:refs/heads/BRANCH\", \"ref:refs/tags/TAG\" or \"environment:NAME\", without the repository. A wildcard may only be the last part of a ref, as in \"ref:refs/heads/release/*\": elsewhere it would match more than it shows, since it spans \"/\" and \":\"."
  }

  validation {
    condition     = alltrue(flatten([for r in var.repositories : [for s in concat(coalesce(r.apply, []), coalesce(r.drift, [])) : !startswith(s, "pull_request")]]))
    error_message = "apply and drift must not list \"pull_request\": the token of a pull request that was merged has the same subject as that of one that is still open, so anyone who can open a pull request could apply. Run the apply job under an environment (\"environment:NAME\"), or on pushes to the default branch."
  }

  validation {
    condition = alltrue(flatten([for r in var.repositories : [for s in concat(coalesce(r.apply, []), coalesce(r.drift, [])) :
      startswith(s, "pull_request") || s == "ref:refs/heads/${r.default_branch}" || can(regex("^environment:[^*?:]+$", s))
    ]]))
    error_message = "apply and drift list what may apply, and what may link issues: \"environment:NAME\", or \"ref:refs/heads/BRANCH\" of the default branch (default_branch). No other branch, no tag and no wildcard: whoever can push that branch could apply."
  }

  validation {
    condition     = alltrue(flatten([for r in var.repositories : [for list in [r.plan, r.apply, r.drift] : try(length(list) > 0, true)]]))
    error_message = "plan, apply and drift are left out, for the default, or list at least one subject."
  }
}

variable "claims" {
  description = <<-EOT
    Claims that a role's token must have in addition to its subject, by role: a map of each claim to the trusted values. `job_workflow_ref` ties a role to a reusable workflow, whatever the calling workflow says:

        claims = {
          plan_storage = { job_workflow_ref = ["acme/workflows/.github/workflows/plan.yml@refs/heads/main"] }
        }

    Values can't be patterns: a pattern for the branch or tag of a reusable workflow would trust what anybody pushes to a branch of it. The claim `ref` of the roles that apply is already set to the default branch.
  EOT
  type = object({
    plan          = optional(map(list(string)), {})
    plan_storage  = optional(map(list(string)), {})
    apply         = optional(map(list(string)), {})
    apply_storage = optional(map(list(string)), {})
    drift_storage = optional(map(list(string)), {})
  })
  default  = {}
  nullable = false

  # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
  validation {
    condition = alltrue(flatten([for role in values(var.claims) : [for claim in keys(role) :
      contains(["actor", "actor_id", "enterprise_id", "environment", "job_workflow_ref", "ref", "repository", "repository_id", "workflow"], claim)
    ]]))
    error_message = "AWS reads these claims of GitHub's tokens: actor, actor_id, enterprise_id, environment, job_workflow_ref, ref, repository, repository_id, workflow. A policy on any other trusts nobody."
  }

  validation {
    condition     = alltrue(flatten([for role in values(var.claims) : [for list in values(role) : [length(list) > 0, [for v in list : can(regex("^[^*?]+$", v))]]]]))
    error_message = "Each claim lists at least one value, spelled out, without wildcards: one such as \"…/plan.yml@*\" or \"…@refs/heads/*\" would trust a workflow as anybody changed it on a branch of theirs."
  }

  validation {
    condition = alltrue(flatten([for role in values(var.claims) : [for v in lookup(role, "job_workflow_ref", []) :
      can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+/\\.github/workflows/[^@*?\\s]+@(refs/(heads|tags)/[^*?:\\s]+|[0-9a-f]{40}|[0-9a-f]{64})$", v))
    ]]))
    error_message = "job_workflow_ref is one workflow at one branch, tag or commit, such as \"acme/workflows/.github/workflows/plan.yml@refs/heads/main\": the branch or tag must be protected, since whoever can change it decides what the role's holder runs."
  }

  validation {
    condition     = alltrue([for role in [var.claims.apply, var.claims.apply_storage] : !contains(keys(role), "ref")])
    error_message = "The claim ref of apply and apply_storage is each repository's own default branch (repositories, default_branch): leave it out."
  }
}

variable "storage" {
  description = <<-EOT
    The plan store of the three storage roles: outputs of the modules `s3-bucket` and `dynamodb-table`. `table_kms_key_arn` is the table's key, if it is not the AWS managed one. Without `storage`, no storage role is created: for an account with infrastructure and no plan store.
  EOT
  type = object({
    bucket_arn        = string
    kms_key_arn       = string
    table_arn         = string
    table_kms_key_arn = optional(string)
  })
  default = null

  validation {
    condition     = try(var.storage == null || can(regex("^arn:[a-z-]+:s3:::[a-z0-9.-]+$", var.storage.bucket_arn)), true)
    error_message = "storage.bucket_arn is the ARN of a bucket, such as arn:aws:s3:::acme-planfiles: the output `arn` of the module s3-bucket."
  }

  validation {
    condition     = try(var.storage == null || can(regex("^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]+$", var.storage.table_arn)), true)
    error_message = "storage.table_arn is the ARN of a table, such as arn:aws:dynamodb:us-east-2:111111111111:table/acme-plans: the output `arn` of the module dynamodb-table."
  }

  validation {
    condition = alltrue([for key in var.storage == null ? [] : [var.storage.kms_key_arn, var.storage.table_kms_key_arn] :
      try(key == null || can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+$", key)), true)
    ])
    error_message = "storage.kms_key_arn and storage.table_kms_key_arn are ARNs of keys, such as arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab. IAM does not take an alias for its key."
  }
}

variable "create_terraform_roles" {
  description = "Whether to create the roles that Terraform itself plans and applies with. Not needed in an account with the plan store and no infrastructure."
  type        = bool
  default     = true
  nullable    = false
}

variable "plan_policy_arns" {
  description = "Policies of the role that Terraform plans with, as a map of any name to an ARN. Default: none. Code of a pull request runs with this role before anyone has read it. So give it no policy that writes, and none that reads secrets (ReadOnlyAccess reads parameters, objects and items of all services)."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.plan_policy_arns) : try(can(regex("^arn:[a-z-]+:iam::(aws|[0-9]{12}):policy/", arn)), true)])
    error_message = "plan_policy_arns are ARNs of policies, such as { network = \"arn:aws:iam::aws:policy/AmazonVPCReadOnlyAccess\" }."
  }

  validation {
    condition     = alltrue([for arn in values(var.plan_policy_arns) : try(!can(regex(":iam::aws:policy/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$", arn)), true)])
    error_message = "The planner must not get AdministratorAccess, PowerUserAccess or IAMFullAccess: code of a pull request runs with this role before anyone has read it. Use read-only policies of the services that it plans, or one of your own."
  }
}

variable "apply_policy_arns" {
  description = "Policies of the role that Terraform applies with, as a map of any name to an ARN. None by default."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for arn in values(var.apply_policy_arns) : try(can(regex("^arn:[a-z-]+:iam::(aws|[0-9]{12}):policy/", arn)), true)])
    error_message = "apply_policy_arns are ARNs of policies, such as { network = \"arn:aws:iam::111111111111:policy/network\" }."
  }
}

variable "create_oidc_provider" {
  description = "Whether to create the identity provider for GitHub's tokens. An account has one per issuer: if it exists already, set `false` and give `oidc_provider_arn`."
  type        = bool
  default     = true
  nullable    = false
}

variable "oidc_provider_arn" {
  description = "ARN of the account's identity provider for GitHub's tokens, if `create_oidc_provider` is `false`."
  type        = string
  default     = null

  validation {
    condition     = try(var.oidc_provider_arn == null || can(regex("^arn:[a-z-]+:iam::[0-9]{12}:oidc-provider/.+", var.oidc_provider_arn)), true)
    error_message = "oidc_provider_arn is the ARN of an IAM identity provider, such as arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com."
  }
}

variable "issuer_url" {
  description = "Issuer of the tokens. For GitHub Enterprise Server: `https://HOSTNAME/_services/token`. AWS reads the claims in `claims` only for github.com's issuer."
  type        = string
  default     = "https://token.actions.githubusercontent.com"
  nullable    = false

  validation {
    condition     = can(regex("^https://[^/?#\\s]+(/[^?#\\s]*[^/?#\\s])?$", var.issuer_url))
    error_message = "issuer_url is an https URL without a slash at its end, such as https://token.actions.githubusercontent.com or https://github.example.com/_services/token."
  }
}

variable "audience" {
  description = "Audience of the tokens. If it is not the default, also set the input `audience` of the actions."
  type        = string
  default     = "sts.amazonaws.com"
  nullable    = false

  validation {
    condition     = can(regex("^[^*?\\s]+$", var.audience))
    error_message = "audience is one audience, without wildcards or spaces, such as sts.amazonaws.com."
  }
}

variable "max_session_duration" {
  description = "Longest session of each role, in seconds: 3600 to 43200. The actions renew their credentials, so an hour is enough for an apply of any length."
  type        = number
  default     = 3600
  nullable    = false

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200 && floor(var.max_session_duration) == var.max_session_duration
    error_message = "max_session_duration is a whole number of seconds from 3600 (an hour) to 43200 (12 hours)."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of each role. None by default."
  type        = string
  default     = null

  validation {
    condition     = try(var.permissions_boundary_arn == null || can(regex("^arn:[a-z-]+:iam::(aws|[0-9]{12}):policy/", var.permissions_boundary_arn)), true)
    error_message = "permissions_boundary_arn is the ARN of a policy, such as arn:aws:iam::111111111111:policy/boundary."
  }
}

variable "path" {
  description = "IAM path of each role."
  type        = string
  default     = "/"
  nullable    = false

  validation {
    condition     = can(regex("^/([!-~]{1,510}/)?$", var.path))
    error_message = "path begins and ends with a slash, such as / or /gitops/."
  }
}
