output "name" {
  description = "Name of the table: `artifact-storage.table` in the configuration."
  value       = one(aws_dynamodb_table.this[*].name)
}

output "arn" {
  description = "ARN of the table. The ARN of an index is this, `/index/` and its name."
  value       = one(aws_dynamodb_table.this[*].arn)
}
