variable "vpc" { type = string }
variable "replicas" { type = number }
variable "stage" { type = string }
variable "tenant" { type = string }
variable "environment" { type = string }

resource "terraform_data" "release" {
  input = { vpc = var.vpc, replicas = var.replicas }
}

output "release" { value = terraform_data.release.output }
