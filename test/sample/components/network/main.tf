terraform {
  required_version = ">= 1.6"
  backend "local" {}
}

variable "cidr" {
  type        = string
  description = "Address range of the network, in CIDR notation."
}

resource "terraform_data" "vpc" {
  input = { cidr = var.cidr }
}

resource "terraform_data" "subnet" {
  count = 2
  input = cidrsubnet(var.cidr, 4, count.index)
}

output "vpc" {
  description = "The network."
  value       = terraform_data.vpc.output
}
