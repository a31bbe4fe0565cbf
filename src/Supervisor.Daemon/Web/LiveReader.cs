using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Supervisor.Control;
using Supervisor.Daemon.Control;
using Supervisor.Daemon.Reports;
using Supervisor.Linux.Diagnosis;
using Supervisor.Linux.Kernel;

namespace Supervisor.Daemon.Web;

/// <summary>Reads what the web page shows: the documents of the control interface, without what is not public.</summary>
internal sealed class LiveReader
{
    /// <summary>The documents without nulls: the page gets many of them.</summary>
    private static readonly ControlJson Json = new(
        new JsonSerializerOptions(ControlJson.Default.Options) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull });

    private readonly LiveSources _sources;

    /// <summary>
    /// When the loop's clock was zero. A fixed one, because a clock that is set during the reading would change every document.
    /// </summary>
    private readonly DateTimeOffset _zero;

    public LiveReader(LiveSources sources)
    {
        _sources = sources;
        _zero = sources.Loop.Time.GetUtcNow() - sources.Loop.Now;
    }

    /// <summary>Reads the daemon, its services and listeners. Any thread except the loop's.</summary>
    public async Task<IReadOnlyList<LivePart>> ReadAsync()
    {
        var loop = _sources.Loop;
        var (daemon, now) = await loop.Ask(() =>
        {
            _sources.Listeners.RefreshFailures();
            return (StatusReport.Daemon(_sources.Info, _sources.Lifecycle, _sources.Config.Origin), loop.Now);
        });
        var services = await loop.AskEach(
            () => _sources.Services, runner => ServiceReading.Of(runner, loop, _sources.Overflows, _zero + loop.Now));
        var listeners = await loop.AskEach(
            () => _sources.Listeners.Handles,
            handle => _sources.Listeners.Find(handle.Name) != handle ? null
                : ListenerDocuments.Listener(handle, _sources.Services.UsersOf(handle), withOptions: false) with
                {
                    Drops = _sources.Overflows.Look(handle),
                });
        var parts = new List<LivePart>
        {
            Part(LiveKind.Daemon, "", (await _sources.Files.FillAsync(daemon)).Public(), Json.DaemonDocument),
        };
        parts.AddRange(ServiceUsage.Fill(services, now)
            .Select(service => Part(LiveKind.Service, service.Name, service.Public(), Json.ServiceDocument)));
        parts.AddRange(listeners.Select(listener => Part(LiveKind.Listener, listener.Name, listener.Public(), Json.ListenerDocument)));
        return parts;
    }

    /// <summary>Looks twice at all listeners. Any thread except the loop's.</summary>
    public async Task<LivePart> DiagnoseAsync(CancellationToken end)
    {
        var loop = _sources.Loop;
        var subjects = await loop.AskEach(
            () => _sources.Listeners.Handles, handle => DiagnosisSubjects.Of(handle, _sources.Services, loop.Now));
        var report = await KernelExamination.RunAsync(
            subjects, KernelExamination.DefaultInterval, loop.Time, () => loop.Ask(() => DiagnosisSubjects.Processes(_sources.Services)),
            end);
        return Part(LiveKind.Diagnosis, "", report.ToDocument(loop.Time.GetUtcNow()).Public(), Json.DiagnosisDocument);
    }

    /// <summary>
    /// A listener with its options and its history as JSON; null without a listener of that name. Any thread except the loop's.
    /// </summary>
    public async Task<byte[]?> ReadListenerAsync(string name)
    {
        var (listener, history) = await _sources.Loop.Ask(() => _sources.Listeners.Find(name) is not { } handle ? (null, null)
            : (ListenerDocuments.Listener(handle, _sources.Services.UsersOf(handle)), handle.History.Entries.ToArray()));
        if (listener is null)
        {
            return null;
        }

        var output = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(output);
        writer.WriteStartObject();
        writer.WritePropertyName("listener");
        JsonSerializer.Serialize(writer, listener.Public(), Json.ListenerDocument);
        writer.WritePropertyName("history");
        JsonSerializer.Serialize(writer, history!.Select(ListenerDocuments.History).ToList(), Json.ListHistoryEntryDocument);
        writer.WriteEndObject();
        writer.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>An event as JSON.</summary>
    public static byte[] Event(EventDocument document) => JsonSerializer.SerializeToUtf8Bytes(document.Public(), Json.EventDocument);

    private static LivePart Part<T>(LiveKind kind, string name, T document, JsonTypeInfo<T> type) =>
        new(kind, name, JsonSerializer.SerializeToUtf8Bytes(document, type));
}
