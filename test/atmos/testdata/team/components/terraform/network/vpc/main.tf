variable "cidr" { type = string }
variable "stage" { type = string }
variable "tenant" { type = string }
variable "environment" { type = string }

resource "terraform_data" "vpc" {
  input = { name = "${var.tenant}-${var.environment}-${var.stage}", cidr = var.cidr }
}

output "vpc" { value = terraform_data.vpc.output }
