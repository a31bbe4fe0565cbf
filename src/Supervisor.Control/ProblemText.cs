using System.Globalization;
using Supervisor.Core;

namespace Supervisor.Control;

/// <summary>Sentences of problem documents that the daemon and its client share.</summary>
public static class ProblemText
{
    /// <summary>An unknown name, with the known ones, the first of many: <c>no service named "x"; services: a, b</c>.</summary>
    /// <param name="kind">"service", "listener" or "listener or service".</param>
    /// <param name="name">The unknown name.</param>
    /// <param name="known">The known names.</param>
    public static string UnknownName(string kind, string name, IEnumerable<string> known)
    {
        var names = NameList.Near(name, [.. known]);
        var kinds = kind.Replace(" or ", "s or ", StringComparison.Ordinal) + "s";
        return $"no {kind} named \"{name}\"; {(names.Length == 0 ? $"there are no {kinds}" : $"{kinds}: {names}")}";
    }

    /// <summary>An unknown slot of a service, with the known ones: <c>service "w" has no slot 7; slots: 0 to 2, 5</c>.</summary>
    /// <param name="service">The service.</param>
    /// <param name="slot">The unknown slot.</param>
    /// <param name="known">The known slots, in any order.</param>
    public static string UnknownSlot(string service, int slot, IEnumerable<int> known)
    {
        var slots = SlotRanges(known);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"service \"{service}\" has no slot {slot}; {(slots.Length == 0 ? "it has no slots" : $"slots: {slots}")}");
    }

    /// <summary>Slots as text, such as <c>0 to 2, 5</c>; empty without one.</summary>
    public static string SlotRanges(IEnumerable<int> slots)
    {
        var ranges = new List<(int First, int Last)>();
        foreach (var slot in slots.Distinct().Order())
        {
            if (ranges is [.., var range] && range.Last == slot - 1)
            {
                ranges[^1] = (range.First, slot);
            }
            else
            {
                ranges.Add((slot, slot));
            }
        }

        return string.Join(", ", ranges.Select(range => range.First == range.Last
            ? range.First.ToString(CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{range.First} to {range.Last}")));
    }
}
