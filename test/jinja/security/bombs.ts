import { list } from '../fuzz/list.ts'

/** Numbers that are too large for something. */
const large = ['10**7', '10**9', '10**18', '2**53', '2**64', '-(10**9)']

/** Templates that grow with `N`. */
const growing = list(`
  {{ 'a' * N }} ¦ {{ N * 'ab' }} ¦ {{ [0] * N }} ¦ {{ (1,) * N }} ¦ {{ range(N)|list|length }} ¦ {{ range(N)|join }} ¦ {{ range(N)|sum }} ¦
  {% for i in range(N) %}x{% endfor %} ¦ {% for i in range(N) %}{% endfor %} ¦ {{ 'a'.center(N) }} ¦ {{ 'a'.ljust(N) }} ¦
  {{ 'a'.zfill(N) }} ¦ {{ '\t'.expandtabs(N) }} ¦ {{ '%*d' % (N, 1) }} ¦ {{ '{:>{}}'.format('a', N) }} ¦ {{ 'a'|center(N) }} ¦
  {{ 'a\nb'|indent(N) }} ¦ {{ [1, [2]]|tojson(indent=N) }} ¦ {{ lipsum(N) }} ¦ {{ lipsum(1, false, N, N) }} ¦ {{ range(N)|batch(2)|list }} ¦
  {{ [1]|batch(N, 'x')|list }} ¦ {{ [1]|slice(N)|list }} ¦ {{ range(N)|sort|first }} ¦ {{ range(N)|unique|list }} ¦ {{ range(N)|reverse|list }} ¦
  {{ range(N)|map('string')|list }} ¦ {{ range(N)|select|list|length }} ¦ {{ range(N)|groupby('x') }} ¦ {{ range(N)|max }} ¦ {{ 1.5|round(N) }} ¦
  {{ 2 ** N }} ¦ {{ (10 ** 1000) ** N }} ¦ {{ 3 ** (N * 1.0) }} ¦ {{ (2 ** 1000) * N }} ¦ {% set l = [] %}{% for i in range(N) %}{% set _ = l.append('x') %}{% endfor %} ¦
  {% set l = [] %}{% set _ = l.extend(range(N)) %} ¦ {{ dict.fromkeys(range(N)) }} ¦ {{ N in range(N + 1) }} ¦ {{ -1 in range(N)|list }} ¦
  {{ [range(N)|list, range(N)|list]|sum(start=[])|length }} ¦ {{ 'x'.join(range(N)|map('string')) }} ¦ {{ 'aaaa'.replace('', 'b' * N) }} ¦
  {{ ('a ' * N)|wordwrap(1) }} ¦ {{ ('a ' * N).split() }} ¦ {{ ('a' * N)|list|length }} ¦ {{ ('<' * N)|striptags }} ¦ {{ ('http://a ' * N)|urlize }} ¦
  {{ ('&' * N)|e }} ¦ {{ ('9' * N)|int }} ¦ {{ ('{}' * N).format(1) }} ¦ {{ ('%s' * N) % 1 }} ¦ {{ ('é' * N)|slugify }} ¦ {{ ('a' * N)|b64encode }} ¦
  {{ ('- 1\n' * N)|from_yaml|length }} ¦ {{ ('[' * N)|from_yaml }} ¦ {{ ('a: ' * N)|from_yaml }} ¦ {{ (('a' * N) ~ 1)|sha256 }} ¦ {{ range(N)|random }} ¦
  {{ range(N)|last }} ¦ {{ [0] * 9 + [0] * N }} ¦ {{ range(N)[::2]|list|length }} ¦ {{ range(N)|pprint }} ¦ {{ ('a' * N)|wordcount }} ¦ {{ ('a' * N)|title|length }} ¦
  {% set ns = namespace(s='a') %}{% for i in range(N) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %} ¦ {{ ('a' * N) in ('a' * N) }} ¦
  {% set x %}{% for i in range(N) %}xxxxxxxxxxxxxxxx{% endfor %}{% endset %}{{ x|length }} ¦ {{ [[0] * 1000] * N }} ¦ {{ N|filesizeformat }} ¦
  {% for i in range(N) %}{% for j in range(N) %}{% endfor %}{% endfor %} ¦ {% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(N) }} ¦ {{ [1, 2, 3][::N] }} ¦
  {{ cycler(*range(N)) }} ¦ {{ dict(**dict.fromkeys(('a' * N)|list, 1))|length }} ¦ {{ '{:.{}f}'.format(1.5, N) }} ¦ {{ '%.*f' % (N, 1.5) }} ¦ {{ N|string|length }}
`)

/** Expressions that are bombs by themselves. */
const alone = list(`
  {{ 10 ** 10 ** 10 }} ¦ {{ 2 ** 2 ** 2 ** 2 ** 2 ** 2 }} ¦ {{ 9 ** 9 ** 9 ** 9 }} ¦ {{ (10 ** 4000) * (10 ** 4000) }} ¦ {{ 7 ** 77777 % 10 }} ¦
  {% include 'self' %} ¦ {% extends 'self' %} ¦ {% import 'self' as x %} ¦ {{ load_template('self') }} ¦ {% set t = '{{ render(t) }}' %}{{ render(t) }} ¦
  {% include 'ping' %} ¦ {{ load_sha256('ping') }} ¦ {% set l = [] %}{% set _ = l.append(l) %}{{ l }}{{ l == l }}{{ l|tojson }} ¦
  {% set l = [] %}{% set _ = l.append(l) %}{% set m = [] %}{% set _ = m.append(m) %}{{ l == m }} ¦ {% set l = [] %}{% set _ = l.append(l) %}{{ l < [l] }} ¦
  {% set d = {} %}{% set _ = d.update(d=d) %}{{ d }}{{ d|to_yaml }}{{ d|to_json }} ¦ {% set d = {} %}{% set _ = d.update(d=d) %}{{ merge_dict(d, d) }} ¦
  {% for x in [1] recursive %}{{ loop([1]) }}{% endfor %} ¦ {% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }} ¦
  {% macro a() %}{{ caller() }}{% endmacro %}{% macro b() %}{% call a() %}{{ b() }}{% endcall %}{% endmacro %}{{ b() }} ¦ {% block a %}{{ self.a() }}{% endblock %} ¦
  {% set l = [1, 2, 3] %}{% for x in l %}{% set _ = l.append(x) %}{% endfor %} ¦ {% set l = ['x'] %}{% for i in range(99) %}{% set _ = l.extend(l) %}{% endfor %} ¦
  {{ 'a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]'|from_yaml }} ¦
  {{ '{a: &a {x: 1}, b: &b {<<: [*a,*a,*a,*a,*a,*a,*a,*a]}, c: {<<: [*b,*b,*b,*b,*b,*b,*b,*b]}}'|from_yaml|to_json }} ¦ {{ '&a [*a]'|from_yaml }} ¦ {{ '&a [*a]'|from_yaml|to_json }} ¦
  {{ ('a' * 50000)|slugify(regex_pattern='(a+)+$') }} ¦ {{ ('a!' * 20000)|slugify(regex_pattern='(a|a)*b') }} ¦ {{ ('<!--' * 100000)|striptags|length }} ¦ {{ ('@a.b' * 50000)|urlize|length }} ¦
  {{ ('(http://' * 50000)|urlize|length }} ¦ {{ (('a' * 30) ~ '.') * 10000 |urlize }} ¦ {{ ('&' * 100000 ~ ';')|striptags|length }} ¦ {{ ('1_' * 100000)|int }} ¦ {{ (' ' * 300000 ~ 'x')|trim|length }} ¦
  {% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l }} ¦ {% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l == ns.l[0] }} ¦
  {% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|tojson }} ¦ {% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l|to_yaml }} ¦
  {% set ns = namespace(t=()) %}{% for i in range(100000) %}{% set ns.t = (ns.t,) %}{% endfor %}{{ {ns.t: 1} }} ¦ {% set ns = namespace(t=(1, 2)) %}{% for i in range(60) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}{{ {ns.t: 1} }} ¦
  {% set ns = namespace(t=[1, 2]) %}{% for i in range(60) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t }} ¦ {% set ns = namespace(t=[1, 2]) %}{% for i in range(60) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}{{ ns.t|pprint }} ¦
  {% set ns = namespace(t=[1], u=[1]) %}{% for i in range(60) %}{% set ns.t = [ns.t, ns.t] %}{% set ns.u = [ns.u, ns.u] %}{% endfor %}{{ ns.t == ns.u }} ¦ {% set ns = namespace(n=10) %}{% for i in range(40) %}{% set ns.n = ns.n * ns.n %}{% endfor %}{{ ns.n }} ¦
  {{ ['a' * 1000] * 1000 | join('b' * 1000) }} ¦ {{ (['a' * 1000] * 1000)|join('b' * 1000) }} ¦ {{ ('a' * 999999).split('a')|length }} ¦ {{ ('ab' * 100000).replace('a', 'c' * 100000) }} ¦ {{ ('a' * 100000).translate({97: 'b' * 100000}) }} ¦
  {{ '{0}'.format('a' * 900000) * 3 }} ¦ {{ ('{0}' * 100000).format('a' * 100000) }} ¦ {{ '%s' * 10000 % (('a' * 100000,) * 10000) }} ¦ {{ ([1.5] * 100000)|sum }} ¦ {{ ('aé' * 300000)|urlencode|length }} ¦ {{ dict([('a', 1)] * 500000)|length }}
`)

/** Sources that are deep rather than long. */
function deep(): string[] {
  const sources: string[] = []
  for (const depth of [1_000, 20_000, 200_000]) {
    for (const [open, inner, close] of [
      ['(', '1', ')'],
      ['[', '1', ']'],
      ["{'a':", '1', '}'],
      ['not ', '1', ''],
      ['-', '1', ''],
      ['a.', 'b', ''],
      ['a[', '0', ']'],
      ['f(', '1', ')'],
      ['1 + ', '1', ''],
      ['1 ~ ', '1', ''],
      ['1 if ', '1', ' else 1'],
      ['1 and ', '1', ''],
      ['2 ** ', '1', ''],
      ['1 < ', '2', ''],
    ] as const) {
      sources.push(`{{ ${open.repeat(depth)}${inner}${close.repeat(depth)} }}`)
    }
    sources.push(`{{ 1${'|abs'.repeat(depth)} }}`, `{{ x${'.y'.repeat(depth)} }}`, `{{ x${'[0]'.repeat(depth)} }}`)
    sources.push('{% if 1 %}'.repeat(depth).concat('{% endif %}'.repeat(depth)), '{% for x in [1] %}'.repeat(depth))
    sources.push(
      '{% with %}'.repeat(depth).concat('{% endwith %}'.repeat(depth)),
      '{{'.repeat(depth),
      '{#'.repeat(depth),
    )
    sources.push('{% if 0 %}'.concat('{% elif 0 %}'.repeat(depth), '{% endif %}'), `{{ '${'a'.repeat(depth * 10)}' }}`)
    sources.push(
      '{% raw %}'.repeat(depth),
      `{{ ${'"'.repeat(depth)} }}`,
      '{{ 1 }}'.repeat(depth),
      `{{ ${'1'.repeat(depth)} }}`,
    )
    sources.push(
      `{{ '${'['.repeat(depth)}'|from_yaml }}`,
      `{{ '${'- '.repeat(depth)}'|from_yaml }}`,
      `{{ '${'{'.repeat(depth)}' }}`,
    )
  }
  return sources
}

/** Templates that would exhaust memory, stack or time if nothing stopped them. */
export function bombPayloads(): string[] {
  return [...growing.flatMap(bomb => large.map(number => bomb.replaceAll('N', `(${number})`))), ...alone, ...deep()]
}
