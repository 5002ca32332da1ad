// GitHub colours the lines of a diff when it highlights code.
for (const code of document.querySelectorAll('code.language-diff')) {
  for (const line of code.textContent.split(/(?<=\n)/).map((text) => Object.assign(document.createElement('span'), { textContent: text }))) {
    if (code.querySelector('span') === null) code.textContent = ''
    line.className = { '+': 'pl-mi1', '-': 'pl-md', '!': 'pl-mc', '@': 'pl-mdr' }[line.textContent[0]] ?? ''
    code.append(line)
  }
}
