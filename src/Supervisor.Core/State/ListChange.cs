using System.Collections.Immutable;

namespace Supervisor.Core.State;

/// <summary>What turns one list into another: elements that are gone, and elements that are set in their place or added at the end.</summary>
/// <param name="Gone">The identities of the elements that are gone.</param>
/// <param name="Set">The other and the new elements, in their order.</param>
public readonly record struct ListChange<T, TKey>(IReadOnlyList<TKey> Gone, IReadOnlyList<T> Set)
    where T : class
{
    /// <summary>Whether the lists have the same elements.</summary>
    public bool IsEmpty => Gone.Count == 0 && Set.Count == 0;
}

/// <summary>Compares lists.</summary>
public static class ListChange
{
    /// <summary>
    /// The change between two lists of immutable elements, which are equal if they are the same object; null if it cannot be
    /// expressed, because elements have changed places.
    /// </summary>
    public static ListChange<T, TKey>? Between<T, TKey>(ImmutableArray<T> before, ImmutableArray<T> now, Func<T, TKey> identity)
        where T : class
        where TKey : IEquatable<TKey>
    {
        List<TKey>? gone = null;
        List<T>? set = null;
        var next = 0;
        foreach (var was in before)
        {
            if (next == now.Length || !identity(now[next]).Equals(identity(was)))
            {
                (gone ??= []).Add(identity(was));
                continue;
            }

            if (!ReferenceEquals(now[next], was))
            {
                (set ??= []).Add(now[next]);
            }

            next++;
        }

        for (; next < now.Length; next++)
        {
            if (gone?.Contains(identity(now[next])) == true)
            {
                return null;
            }

            (set ??= []).Add(now[next]);
        }

        return new ListChange<T, TKey>(gone ?? (IReadOnlyList<TKey>)[], set ?? (IReadOnlyList<T>)[]);
    }
}
