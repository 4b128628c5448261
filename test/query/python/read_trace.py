"""Reads a trace by Google's own generated classes, and gives what Perfetto's page would make of it, as JSON."""

import json
import sys

from google.protobuf.unknown_fields import UnknownFieldSet
from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import CounterDescriptor, Trace, TrackEvent

trace = Trace()
with open(sys.argv[1], "rb") as file:
    trace.ParseFromString(file.read())

names, targets, places, keys, tracks, events, faults = {}, {}, {}, {}, {}, [], []


def check_known(message):
    """What the schema does not have would be ignored in silence."""
    if len(UnknownFieldSet(message)) > 0:
        faults.append(f"unknown fields in {message.DESCRIPTOR.name}")
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for item in value if field.is_repeated else [value]:
            check_known(item)


def facts(annotations):
    """Names and texts, nested where an annotation is a dictionary."""
    told = {}
    for item in annotations:
        key = keys[item.name_iid] if item.name_iid else item.name
        told[key] = facts(item.dict_entries) if item.dict_entries else item.string_value
    return told


def happening(time, event):
    """What begins of slices and instants say."""
    [target] = [targets[iid] for iid in event.category_iids] or event.categories
    return {
        "name": names[event.name_iid] if event.name_iid else event.name,
        "target": target,
        "begin": str(time),
        "track": tracks[event.track_uuid]["name"],
        "facts": facts(event.debug_annotations),
    }


for packet in trace.packet:
    check_known(packet)
    if packet.HasField("interned_data"):
        data = packet.interned_data
        names.update({item.iid: item.name for item in data.event_names})
        targets.update({item.iid: item.name for item in data.event_categories})
        keys.update({item.iid: item.name for item in data.debug_annotation_names})
        places.update({item.iid: [item.file_name, item.line_number] for item in data.source_locations})
    if packet.HasField("track_descriptor"):
        track = packet.track_descriptor
        name = track.name or track.thread.thread_name or track.process.process_name
        if track.uuid in tracks:
            faults.append(f"track {name} is described twice")
        tracks[track.uuid] = {"name": name, "parent": track.parent_uuid}
        if track.HasField("counter"):
            unit = track.counter.unit_name or CounterDescriptor.Unit.Name(track.counter.unit)
            tracks[track.uuid]["unit"] = unit
    if packet.HasField("track_event"):
        # Texts that a packet refers to must have been told by then.
        event = packet.track_event
        if event.track_uuid not in tracks:
            faults.append(f"track {event.track_uuid} is not described")
        begins = happening(packet.timestamp, event) if event.type in (1, 3) else None
        events.append((packet.timestamp, len(events), event, begins))

stacks, slices, instants, values, flows, arrows = {}, [], [], [], {}, []
for time, _, event, begins in sorted(events, key=lambda item: item[:2]):
    stack = stacks.setdefault(event.track_uuid, [])
    if begins is not None:
        here = [begins["name"], begins["begin"]]
        for flow in event.terminating_flow_ids:
            if flow in flows:
                arrows.append([*flows.pop(flow), *here])
            else:
                faults.append(f"an arrow to {here} from nowhere")
        flows.update({flow: here for flow in event.flow_ids})
    if event.type == TrackEvent.TYPE_SLICE_BEGIN:
        place = places[event.source_location_iid]
        stack.append({**begins, "place": place})
    elif event.type == TrackEvent.TYPE_INSTANT:
        instants.append({**begins, "within": stack[-1]["name"] if stack else None})
    elif event.type == TrackEvent.TYPE_COUNTER:
        track = tracks[event.track_uuid]
        values.append([track["name"], track["unit"], str(time), event.double_counter_value])
    elif not stack:
        faults.append(f"an end at {time} without a begin")
    else:
        # The one that was opened last, whatever the end itself says.
        slices.append({**stack.pop(), "end": str(time)})
faults += [f"{len(stack)} slices are never ended" for stack in stacks.values() if stack]
faults += [f"{track['name']} has no parent" for track in tracks.values() if track["parent"] not in (0, *tracks)]
faults += [f"the arrow from {here} ends nowhere" for here in flows.values()]
print(json.dumps({"slices": slices, "instants": instants, "values": values, "arrows": arrows, "faults": faults}))
