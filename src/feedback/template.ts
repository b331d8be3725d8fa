/** The comment on a pull request (nunjucks). Every value is passed through md, code, block or link: see comment.ts. */
export const commentTemplate = `{{ view.marker }}
### {{ headline | md }}

{% if view.state != 'Gone' and view.url | link %}
**Address:** {{ view.url | link }}

{% endif %}
{% if view.state == 'Waiting' %}
The limit of environments is reached
{%- if view.ahead %} ({{ view.ahead }} hold its places){% endif %}.
{%- if place %} {{ place | md }}{% endif %}


{% endif %}
{% if view.message %}
**{{ (view.reason or 'Reason') | md }}**

{{ view.message | block }}

{% endif %}
{% if view.progress %}
{{ view.progress | block }}

{% endif %}
{% if view.deployment and view.deployment.byHand %}
{{ view.deployment.byHand | block }}

{% elif view.deployment and view.deployment.warnings.length > 0 %}
**Warnings**

{{ view.deployment.warnings.join('\n') | block }}

{% endif %}
{% if view.blockerCount > 0 and view.state != 'Gone' %}
Its removal waits for {{ view.blockerCount }} {{ 'object' if view.blockerCount == 1 else 'objects' }}:

| object | held by |
|---|---|
{% for blocker in view.blockers %}
| {{ (blocker | objectName) | code }} | {{ (blocker | heldBy) | code }} |
{% endfor %}

{% if view.blockerCount > view.blockers.length %}
and {{ view.blockerCount - view.blockers.length }} more.

{% endif %}
{% endif %}
| | |
|---|---|
| Environment | {{ view.environment | code }} |
{% if view.revision %}
| Commit | {{ view.revision.slice(0, 12) | code }} |
{% endif %}
{% if view.deployed and view.deployed != view.revision and view.state != 'Gone' %}
| Running | {{ view.deployed.slice(0, 12) | code }} |
{% endif %}
{% if view.deployment and not view.deployment.byHand %}
| Deployed | {{ deployed | md }} |
{% endif %}
{% if view.readySince %}
| Ready since | {{ view.readySince | code }}
{%- if after %} ({{ after | md }}){% endif %} |
{% endif %}
`
