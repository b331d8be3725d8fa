/** A template to measure, what it includes, and its variables (plain JSON, so that all three engines can have them). */
export interface Sample {
  readonly name: string
  readonly source: string
  readonly templates: Readonly<Record<string, string>>
  readonly context: Readonly<Record<string, unknown>>
}

const manifest: Sample = {
  name: 'small manifest',
  source: `apiVersion: v1
kind: Service
metadata:
  name: {{ name }}-{{ target.name }}
  namespace: {{ namespace | default('default') }}
  labels:
    app: {{ name | lower }}
    {% for key, value in labels | dictsort %}{{ key }}: "{{ value }}"
    {% endfor %}
spec:
  type: {{ 'LoadBalancer' if public else 'ClusterIP' }}
  ports:
  {% for port in ports -%}
  - name: {{ port.name }}
    port: {{ port.port }}
  {% endfor %}
`,
  templates: {},
  context: {
    name: 'Shop',
    target: { name: 'pr-42' },
    labels: { tier: 'web', team: 'blue', env: 'review' },
    public: false,
    ports: [
      { name: 'http', port: 80 },
      { name: 'metrics', port: 9090 },
    ],
  },
}

const macros = `{% macro env(name, value, quote=true) %}
        - name: {{ name }}
          value: {{ '"' ~ value ~ '"' if quote else value }}
{%- endmacro %}
{% macro resources(cpu, memory) %}
        resources:
          requests: {cpu: "{{ cpu }}", memory: "{{ memory }}"}
          limits: {memory: "{{ memory }}"}
{%- endmacro %}
`

const container = (index: number) => `{% for service in services %}{% if service.group == ${index} %}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ service.name }}
  labels:
    app.kubernetes.io/name: {{ service.name }}
    app.kubernetes.io/part-of: {{ project | default('shop') }}
spec:
  replicas: {{ service.replicas * scale }}
  template:
    spec:
      containers:
      - name: main
        image: "{{ registry }}/{{ service.image }}:{{ service.tag or tag }}"
        env:{% for variable in service.env %}{{ env(variable.name | upper, variable.value) }}{% endfor %}
        {{- resources(service.cpu, service.memory) }}
        {% if service.probe %}
        readinessProbe:
          httpGet: {path: {{ service.probe.path }}, port: {{ service.probe.port }}}
        {% endif %}
{% endif %}{% endfor %}
`

const deployment: Sample = {
  name: 'deployment, 300 lines',
  source: macros + Array.from({ length: 11 }, (_, index) => container(index)).join(''),
  templates: {},
  context: {
    registry: 'registry.example.org',
    tag: 'v1.2.3',
    scale: 2,
    services: Array.from({ length: 22 }, (_, index) => ({
      name: `service-${index}`,
      group: index % 11,
      image: `shop/service-${index}`,
      tag: index % 3 === 0 ? '' : `v${index}`,
      replicas: 1 + (index % 3),
      cpu: '100m',
      memory: '128Mi',
      probe: index % 2 === 0 ? { path: '/healthz', port: 8080 } : null,
      env: Array.from({ length: 5 }, (__, at) => ({ name: `variable_${at}`, value: `value ${at}` })),
    })),
  },
}

const values: Sample = {
  name: 'values file, 2,000 lines',
  source: Array.from({ length: 400 }, (_, index) =>
    [
      `component${index}:`,
      '  enabled: true',
      `  image: "{{ images.base }}/component${index}:{{ version }}"`,
      `  host: component${index}.{{ domain }}`,
      `  replicas: ${index % 5}`,
    ].join('\\n'),
  ).join('\\n'),
  templates: {},
  context: { images: { base: 'registry.example.org/shop' }, version: '1.2.3', domain: 'example.org' },
}

const expressions: Sample = {
  name: 'expression-heavy',
  source: `{% for i in range(200) %}
{% set square = i * i + i // 3 - i % 7 %}{% set cube = square * i - (square + 7) * 2 %}
{{ (i + 1) * 3.5 }} {{ cube }} {{ 'big' if square > 100 and i < 150 or not i else 'small' }} {{ names[i % 4] ~ '-' ~ i }}
{{ 'even' if i % 2 == 0 else 'odd' }} {{ names[i % 4] | upper | replace('A', 'b') }} {{ [i, i + 1, i * 2] | sum }}
{{ 'fib' if i in [1, 2, 3, 5, 8, 13] else 'no' }} {{ numbers[i % 10] ** 2 }} {{ (i * 2 + 3) // 4 % 5 == 2 }}
{% endfor %}
{{ names | sort | join(',') }} {{ numbers | sum }} {{ rows | selectattr('on') | list | length }}
`,
  templates: {},
  context: {
    names: ['alpha', 'beta', 'gamma', 'delta'],
    numbers: [3, 1, 4, 1, 5, 9, 2, 6, 5, 3],
    rows: Array.from({ length: 50 }, (_, n) => ({ n, on: n % 3 === 0 })),
  },
}

const inheritance: Sample = {
  name: 'inheritance',
  source: `{% extends 'layout' %}
{% block title %}{{ title | title }} - {{ super() }}{% endblock %}
{% block body %}{% include 'list' %}{% for section in sections %}{% include 'section' %}{% endfor %}{% endblock %}`,
  templates: {
    base: `<html><head><title>{% block title %}Base{% endblock %}</title></head>
<body>{% block nav %}<nav>{% for link in links %}<a href="{{ link.url }}">{{ link.text }}</a>{% endfor %}</nav>{% endblock %}
{% block body %}{% endblock %}<footer>{% block footer %}(c) {{ year }}{% endblock %}</footer></body></html>`,
    layout: `{% extends 'base' %}{% block footer %}{{ super() }} {{ company }}{% endblock %}{% block title %}Layout {{ super() }}{% endblock %}`,
    list: `<ul>{% for item in items %}<li>{{ loop.index }}. {{ item }}</li>{% endfor %}</ul>`,
    section: `<section><h2>{{ section.head }}</h2><p>{{ section.text }}</p></section>`,
  },
  context: {
    title: 'the page',
    year: 2024,
    company: 'Example',
    links: Array.from({ length: 8 }, (_, n) => ({ url: `/page/${n}`, text: `Page ${n}` })),
    items: Array.from({ length: 20 }, (_, n) => `item ${n}`),
    sections: Array.from({ length: 10 }, (_, n) => ({ head: `Section ${n}`, text: 'Lorem ipsum dolor sit amet.' })),
  },
}

/** The five templates of the comparison. */
export const samples: readonly Sample[] = [manifest, deployment, values, expressions, inheritance]
