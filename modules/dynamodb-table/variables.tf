variable "create" {
  description = "Whether to create anything at all."
  type        = bool
  default     = true
  nullable    = false
}

variable "name" {
  description = "Name of the table, unique in the account and region, such as `acme-terraform-plans`."
  type        = string
  nullable    = false

  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "name must be 3 to 255 letters, digits, underscores, dots and hyphens, as DynamoDB takes them: write for example \"acme-terraform-plans\", not an ARN."
  }
}

variable "tags" {
  description = "Tags of the table."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key to encrypt with. `null`: the key `aws/dynamodb`, which AWS creates and manages in your account. With your own key, the roles that use the table also need `kms:Decrypt` on it."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not its id or alias: write for example \"arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab\", or leave it out for the key that AWS manages."
  }
}

variable "deletion_protection_enabled" {
  description = "Whether DynamoDB refuses to delete the table. To destroy it, apply `false` first."
  type        = bool
  default     = true
  nullable    = false
}

variable "resource_policy_documents" {
  description = "Policy documents, as JSON, that are combined into the table's resource policy. Default: no resource policy, and only the roles' own policies apply."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.resource_policy_documents : can(jsondecode(document).Statement)])
    error_message = "Each of resource_policy_documents must be a policy in JSON, with a Statement: write data.aws_iam_policy_document.NAME.json."
  }
}
