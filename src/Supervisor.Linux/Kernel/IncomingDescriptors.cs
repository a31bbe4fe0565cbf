using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Supervisor.Core.State;
using Supervisor.Native;

namespace Supervisor.Linux.Kernel;

/// <summary>What a predecessor has left, by key. Owns each descriptor until it is taken.</summary>
public sealed class IncomingDescriptors : IDisposable
{
    private readonly Dictionary<string, DescriptorHandle> _descriptors = new(StringComparer.Ordinal);

    /// <summary>The keys of those that nobody has taken.</summary>
    public IReadOnlyCollection<string> Remaining => _descriptors.Keys;

    /// <summary>Those that this process has inherited by number; what is not open is left out.</summary>
    public static IncomingDescriptors FromNumbers(IEnumerable<KeyValuePair<string, int>> numbers)
    {
        var incoming = new IncomingDescriptors();
        foreach (var (key, number) in numbers)
        {
            var descriptor = new DescriptorHandle(number);
            if (Files.SetCloseOnExec(descriptor) is null)
            {
                incoming._descriptors.Add(key, descriptor);
            }
            else
            {
                descriptor.SetHandleAsInvalid();
            }
        }

        return incoming;
    }

    /// <summary>
    /// Everything that LISTEN_FDS gives this process, by its name: what a predecessor had put into systemd's descriptor
    /// store, and what systemd itself passes, of which each name is given a number.
    /// </summary>
    public static IncomingDescriptors FromListenFds()
    {
        var incoming = new IncomingDescriptors();
        var index = 0;
        foreach (var (name, descriptor) in InheritedDescriptors.FromEnvironment(out _, most: int.MaxValue).TakeAll())
        {
            if (!incoming._descriptors.TryAdd(name, descriptor))
            {
                incoming._descriptors.Add(string.Create(CultureInfo.InvariantCulture, $"{name}#{index}"), descriptor);
            }

            index++;
        }

        return incoming;
    }

    /// <summary>Whether LISTEN_FDS gives something that a predecessor had stored.</summary>
    public static bool IsStored => Environment.GetEnvironmentVariable("LISTEN_FDNAMES")?.Split(':').Any(name => name == DescriptorKey.State || DescriptorKey.ListenerName(name) is not null) == true;

    /// <summary>Adds one and takes it over; where there is one of that key already, it is closed.</summary>
    public void Add(string key, DescriptorHandle descriptor)
    {
        if (!_descriptors.TryAdd(key, descriptor))
        {
            descriptor.Dispose();
        }
    }

    /// <summary>Whether there is one of that key.</summary>
    public bool Has(string key) => _descriptors.ContainsKey(key);

    /// <summary>Hands one over to the caller; null where there is none of that key.</summary>
    public DescriptorHandle? Take(string key) => _descriptors.Remove(key, out var descriptor) ? descriptor : null;

    /// <summary>The same.</summary>
    public bool TryTake(string key, [NotNullWhen(true)] out DescriptorHandle? descriptor) => _descriptors.Remove(key, out descriptor);

    /// <summary>Hands over all that are left.</summary>
    public IReadOnlyList<DescriptorHandle> TakeAll()
    {
        DescriptorHandle[] all = [.. _descriptors.Values];
        _descriptors.Clear();
        return all;
    }

    /// <summary>The one of that key, which stays here; null where there is none.</summary>
    public DescriptorHandle? Peek(string key) => _descriptors.GetValueOrDefault(key);

    /// <summary>
    /// Owns none of them any more and closes none: somebody else takes them by their numbers. A handle that was merely let
    /// go of would be closed by its finalizer, and with it whatever has that number by then.
    /// </summary>
    public void Forget()
    {
        foreach (var descriptor in _descriptors.Values)
        {
            descriptor.SetHandleAsInvalid();
        }

        _descriptors.Clear();
    }

    /// <summary>Closes what nobody has taken.</summary>
    public void Dispose()
    {
        foreach (var descriptor in _descriptors.Values)
        {
            descriptor.Dispose();
        }

        _descriptors.Clear();
    }
}
