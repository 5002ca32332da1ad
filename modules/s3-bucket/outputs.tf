output "name" {
  description = "Name of the bucket: `artifact-storage.bucket` in the configuration."
  value       = one(aws_s3_bucket.this[*].id)
}

output "arn" {
  description = "ARN of the bucket."
  value       = one(aws_s3_bucket.this[*].arn)
}

output "region" {
  description = "Region of the bucket: `artifact-storage.region` in the configuration."
  value       = one(aws_s3_bucket.this[*].region)
}

output "kms_key_arn" {
  description = "ARN of the key that the bucket is encrypted with, whether created here or given."
  value       = var.create ? local.kms_key_arn : null
}
