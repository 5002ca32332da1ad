variable "name" {}
variable "days" {}

resource "aws_cloudwatch_log_group" "log" {
  count             = 2
  name              = "/${var.name}/${count.index}"
  retention_in_days = var.days
}

output "arns" {
  value = aws_cloudwatch_log_group.log[*].arn
}
