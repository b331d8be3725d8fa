import { list } from '../fuzz/list.ts'

/** Values that a template can get hold of. */
const objects = list(`
  '' ¦ 'a' ¦ [] ¦ [1] ¦ {} ¦ {'a': 1} ¦ () ¦ (1,) ¦ 1 ¦ 1.5 ¦ true ¦ none ¦ undefined_thing ¦ range ¦ range(3) ¦ dict ¦
  cycler('a') ¦ joiner() ¦ namespace() ¦ lipsum ¦ self ¦ host_function ¦ host_object ¦ data ¦ ''.upper ¦ [].append ¦
  {}.items() ¦ ('a'|safe) ¦ ([1]|map('string')) ¦ {}.get ¦ m ¦ time ¦ time.now() ¦ ('2020-01-01'|from_yaml) ¦ loop ¦
  (1).real ¦ [1]|first ¦ 'x'.encode() ¦ ({}|items) ¦ caller ¦ _ ¦ gettext ¦ time.now
`)

/** Names that would lead out of the sandbox in JavaScript or Python. */
const names = list(`
  constructor ¦ __proto__ ¦ prototype ¦ __class__ ¦ __mro__ ¦ __subclasses__ ¦ __globals__ ¦ __init__ ¦ __dict__ ¦
  __builtins__ ¦ __self__ ¦ __func__ ¦ __code__ ¦ __getattribute__ ¦ __import__ ¦ __lookupGetter__ ¦ __defineGetter__ ¦
  toString ¦ valueOf ¦ hasOwnProperty ¦ call ¦ apply ¦ bind ¦ caller ¦ arguments ¦ callee ¦ process ¦ mainModule ¦
  require ¦ globalThis ¦ env ¦ canary ¦ map ¦ forEach ¦ filter ¦ push ¦ at ¦ size ¦ entries ¦ attributes ¦ invoke ¦
  charCodeAt ¦ codePointAt ¦ matchAll ¦ Symbol.iterator ¦ context ¦ engine ¦ state ¦ slots ¦ environment ¦ eval ¦ exec ¦
  func_globals ¦ gi_frame ¦ gi_code ¦ cr_frame ¦ f_locals ¦ mro ¦ _TemplateReference__context ¦ _func ¦ private
`)

/** Ways to reach for a name: the object is `O`, the name `N`. */
const reaches = list(`
  {{ O.N }} ¦ {{ O['N'] }} ¦ {{ O|attr('N') }} ¦ {{ O.N.N }} ¦ {{ O.N() }} ¦ {{ O['N']['N'] }} ¦ {{ [O]|map(attribute='N')|list }} ¦
  {{ '{0.N}'.format(O) }} ¦ {{ '{0[N]}'.format(O) }} ¦ {{ '{x.N.N}'.format(x=O) }} ¦ {{ [O]|groupby('N') }} ¦
  {{ [O, O]|sort(attribute='N') }} ¦ {{ [O]|selectattr('N')|list }} ¦ {{ [O]|sum(attribute='N') }} ¦ {{ O.N is defined }} ¦
  {{ '%(N)s' % O }} ¦ {% set x = O.N %}{{ x('return 1')() }} ¦ {% for k in O.N %}{{ k }}{% endfor %} ¦ {{ [O]|join('', 'N') }} ¦
  {% set o = O %}{% set o.N = 1 %}{{ o.N }} ¦ {{ {'N': 1}.N }} ¦ {{ O|map('N')|list }} ¦ {{ dict(N=O).N }} ¦ {{ O|tojson }} ¦
  {{ (O.N or O)|string|length }} ¦ {{ [O]|unique(attribute='N')|list }} ¦ {{ ('{0.N}'|safe).format(O) }} ¦
  {{ '{0.N}'.format_map({'0': O}) }} ¦ {{ O|default(O.N) }} ¦ {{ get_var('$.data.N') }} ¦ {{ [O]|max(attribute='N') }} ¦
  {{ O ~ O.N }} ¦ {{ [O]|rejectattr('N')|list }} ¦ {{ O.update({'N': {'canary': 1}}) }} ¦ {{ merge_dict({}, {'N': {'canary': 1}}) }} ¦
  {{ ('N: {canary: 1}'|from_yaml)['N'] }} ¦ {{ O['N'~''] }} ¦ {{ (O|attr('N'))|attr('N') }}
`)

/** File names that must not lead anywhere. */
const files = list(`
  ../secret ¦ ../../secret ¦ /etc/passwd ¦ ./../secret ¦ a/../../secret ¦ link ¦ folder/secret ¦ //etc/passwd ¦ ..\\\\secret ¦
  file:///etc/passwd ¦ ../project/../secret ¦ %2e%2e/secret ¦ ....//secret ¦ a/../../../etc/passwd ¦ /proc/self/environ ¦ . ¦ .. ¦ /
`)
const fileReaders = list(`
  {% include 'F' %} ¦ {% include ['F', 'F'] ignore missing %} ¦ {% import 'F' as x %}{{ x }} ¦ {% from 'F' import x %} ¦ {% extends 'F' %} ¦
  {{ load_template('F') }} ¦ {{ load_base64('F') }} ¦ {{ load_sha256('F') }} ¦ {{ render("{% include 'F' %}") }} ¦
  {% set f = 'F' %}{% include f %} ¦ {{ load_latest_git_commit('F') }}
`)

/** Every third combination of object, name and way, shifted so that all pairs come up: thousands of payloads. */
export function escapePayloads(): string[] {
  const payloads: string[] = []
  objects.forEach((object, o) => {
    names.forEach((name, n) => {
      const reach = reaches[(o * 7 + n * 3) % reaches.length] ?? ''
      payloads.push(reach.replaceAll('O', object).replaceAll('N', name))
    })
  })
  for (const reader of fileReaders) for (const file of files) payloads.push(reader.replaceAll('F', file))
  return payloads.map(payload => `{% macro m() %}{% endmacro %}${payload}`)
}
