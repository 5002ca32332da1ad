variable "create" {
  description = "Whether to create anything at all."
  type        = bool
  default     = true
  nullable    = false
}

variable "name" {
  description = "Name of the bucket, unique in all of AWS, such as `acme-terraform-plans`. The key's alias is `alias/` and this name."
  type        = string
  nullable    = false

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lower-case letters, digits and hyphens, and begin and end with a letter or digit: write for example \"acme-terraform-plans\". Write hyphens for dots: a certificate of S3 does not match a name with dots."
  }

  validation {
    condition     = !can(regex("^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|--x-s3|--table-s3)$", var.name))
    error_message = "name begins or ends with what S3 keeps for itself: choose one that does not begin with xn--, sthree- or amzn-s3-demo-, nor end with -s3alias, --ol-s3, --x-s3 or --table-s3."
  }
}

variable "tags" {
  description = "Tags of the bucket and of its key."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "create_kms_key" {
  description = "Whether to create a KMS key for this bucket alone. `false`: give one in `kms_key_arn`."
  type        = bool
  default     = true
  nullable    = false
}

variable "kms_key_arn" {
  description = "ARN of the KMS key to encrypt with if `create_kms_key` is `false`. It must be in the bucket's region."
  type        = string
  default     = null

  # An alias would never equal the key that a request names.
  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a key, not its id or alias: write for example \"arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab\"."
  }
}

variable "kms_key_deletion_window_in_days" {
  description = "Days between a destroy and the deletion of the bucket's own key. Until then, the deletion can be cancelled."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.kms_key_deletion_window_in_days >= 7 && var.kms_key_deletion_window_in_days <= 30 && floor(var.kms_key_deletion_window_in_days) == var.kms_key_deletion_window_in_days
    error_message = "kms_key_deletion_window_in_days must be a whole number from 7 to 30, as KMS takes it: write 30."
  }
}

variable "planfile_expiration_days" {
  description = "Days after which planfiles are deleted. At least the plan action's `metadata-retention-days` (14)."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.planfile_expiration_days >= 1 && floor(var.planfile_expiration_days) == var.planfile_expiration_days
    error_message = "planfile_expiration_days must be a whole number of days, 1 or more: write at least the plan action's metadata-retention-days, or leave it out for 30."
  }
}

variable "force_destroy" {
  description = "Whether a destroy also deletes the objects in the bucket: planfiles, and states that nobody has pushed back yet."
  type        = bool
  default     = false
  nullable    = false
}

variable "logging" {
  description = <<-EOT
    Server access logging, to another bucket that allows the log service to write: https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html

    - `target_bucket`: name of that bucket.
    - `target_prefix`: prefix of the logs' keys. Default: this bucket's name and a slash.
  EOT
  type = object({
    target_bucket = string
    target_prefix = optional(string)
  })
  default = null

  validation {
    condition     = try(length(var.logging.target_bucket) > 0, var.logging == null)
    error_message = "logging.target_bucket is empty: write the name of the bucket that takes the logs, or leave logging out."
  }
}

variable "object_lock" {
  description = <<-EOT
    Object Lock: no version of an object can be deleted before its retention ends. It can't be switched off again; removing this setting only ends the default retention.

    - `days`: how long each object is retained, including errored states. At most `planfile_expiration_days`.
    - `mode`: `GOVERNANCE` (with `s3:BypassGovernanceRetention`, objects can be deleted earlier) or `COMPLIANCE` (nobody can, not even the root user).
  EOT
  type = object({
    days = number
    mode = optional(string, "GOVERNANCE")
  })
  default = null

  validation {
    condition     = try(contains(["GOVERNANCE", "COMPLIANCE"], var.object_lock.mode), var.object_lock == null)
    error_message = "object_lock.mode must be \"GOVERNANCE\" or \"COMPLIANCE\"."
  }

  validation {
    condition     = try(var.object_lock.days >= 1 && floor(var.object_lock.days) == var.object_lock.days, var.object_lock == null)
    error_message = "object_lock.days must be a whole number, 1 or more: write for example 14."
  }
}

variable "source_policy_documents" {
  description = "Policy documents, as JSON, whose statements are added to the bucket's policy. If a statement has the same `sid` as one of this module, the module's is used."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for document in var.source_policy_documents : can(jsondecode(document).Statement)])
    error_message = "Each of source_policy_documents must be a policy in JSON, with a Statement: write data.aws_iam_policy_document.NAME.json."
  }
}
