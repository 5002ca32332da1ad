variable "name" {}
variable "days" {}

module "log" {
  source = "../log"
  name   = var.name
  days   = var.days
}

output "arn" {
  value = module.log.arns[0]
}
